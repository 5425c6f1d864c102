// Another image: chosen or dropped, sent to the live page's server, which answers with a new payload.

import { html } from "fieldstone/elements";
import { faultIn, told } from "fieldstone/faults";
import { isTyping } from "fieldstone/keys";
import { addWords, say } from "fieldstone/words";

addWords({
  "image.choose": ["Image", "이미지"],
  "image.title": ["Choose another image, or drop one on the page", "다른 이미지를 고르거나 페이지에 놓으세요"],
  "image.drop": ["Drop an image here", "이미지를 여기에 놓으세요"],
  "image.none": ["what was dropped is no file; drop an image file", "놓은 것이 파일이 아닙니다. 이미지 파일을 놓으세요"],
  "image.first": ["{count} files were dropped; the first is taken: {name}", "놓은 파일 {count}개 중 첫 번째 파일만 씁니다: {name}"],
  "image.note": ["Note", "알림"],
  "image.error": ["Error", "오류"],
  "image.lost": [
    "the program that served this page does not answer; start it again",
    "이 페이지를 제공한 프로그램이 응답하지 않습니다. 다시 시작하세요",
  ],
});

/** The button, the place for a fault, and `update` for their words; of a page without a server nothing is shown. */
export function imageButton(page) {
  const input = html("input", { type: "file", accept: "image/*", class: "hidden", id: "image" });
  const label = html("span", {}), alert = html("div", { role: "alert" });
  const element = html("label", { class: "ghost header-file", hidden: !page.store.payload.live }, label, input);
  input.addEventListener("change", () => {
    if (input.files.length) send(page, [...input.files], alert);
    input.value = "";
  });
  if (page.store.payload.live) dropped(page, alert);
  return { element, alert, update, tell: text => tell(alert, text) };

  function update() {
    label.textContent = say("image.choose");
    element.title = say("image.title");
  }
}

function dropped(page, alert) {
  const over = html("div", { class: "header-over", hidden: true });
  document.body.append(over);
  const isFile = event => event.dataTransfer.types.includes("Files");
  const isOurs = event => isFile(event) || !isTyping(event.target); // text that is dropped in a text field stays there
  addEventListener("dragover", event => {
    if (!isOurs(event)) return;
    event.preventDefault();
    over.textContent = say("image.drop");
    over.hidden = !isFile(event);
  });
  addEventListener("dragleave", event => { if (!event.relatedTarget) over.hidden = true });
  addEventListener("drop", event => {
    if (!isOurs(event)) return;
    event.preventDefault();
    over.hidden = true;
    const files = [...event.dataTransfer.files];
    files.length ? send(page, files, alert) : tell(alert, say("image.none"));
  });
}

/** Sends the first of the files; that there are more is said. */
async function send(page, [file, ...others], alert) {
  const first = () => line("note", say("image.first", { count: others.length + 1, name: file.name }));
  alert.replaceChildren(...(others.length ? [first()] : []));
  document.body.setAttribute("aria-busy", "true");
  const { image, most } = page.store.payload.live;
  try {
    if (file.size > most) return alert.append(line("error", told("large", { most: Math.floor(most / 2 ** 20) })));
    const answer = await fetch(`${image}?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
    if (answer.ok) page.take(await answer.json());
    else alert.append(line("error", await faultIn(answer)));
  } catch (fault) {
    if (!(fault instanceof TypeError)) throw fault; // what fetch throws where nobody answers
    alert.append(line("error", say("image.lost")));
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

function tell(alert, text) {
  alert.replaceChildren(line("error", text));
}

const signs = { error: "✕", note: "•" };

function line(kind, text) {
  const word = html("b", {}, `${signs[kind]} ${say(`image.${kind}`)}`);
  return html("div", { class: `header-alert header-${kind}` }, word, html("p", {}, text));
}
