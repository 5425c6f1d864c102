// Another image: chosen or dropped, sent to the live page's server, which answers with a new payload.

import { html } from "fieldstone/elements";
import { addWords, say } from "fieldstone/words";

addWords({
  "image.choose": ["Image", "이미지"],
  "image.title": ["Choose another image, or drop one on the page", "다른 이미지를 고르거나 페이지에 놓으세요"],
  "image.drop": ["Drop an image here", "이미지를 여기에 놓으세요"],
  "image.large": ["the image file is larger than {most} MiB", "이미지 파일이 {most} MiB보다 큽니다"],
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
    if (input.files.length) send(page, input.files[0], alert);
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
  const isFile = event => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", event => {
    if (!isFile(event)) return;
    event.preventDefault();
    over.textContent = say("image.drop");
    over.hidden = false;
  });
  addEventListener("dragleave", event => { if (!event.relatedTarget) over.hidden = true });
  addEventListener("drop", event => {
    if (!isFile(event)) return;
    event.preventDefault();
    over.hidden = true;
    send(page, event.dataTransfer.files[0], alert);
  });
}

async function send(page, file, alert) {
  alert.replaceChildren();
  document.body.setAttribute("aria-busy", "true");
  const { image, most } = page.store.payload.live;
  try {
    if (file.size > most) return tell(alert, say("image.large", { most: Math.floor(most / 2 ** 20) }));
    const answer = await fetch(`${image}?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
    if (answer.ok) page.take(await answer.json());
    else tell(alert, await answer.text());
  } catch (fault) {
    if (!(fault instanceof TypeError)) throw fault; // what fetch throws where nobody answers
    tell(alert, say("image.lost"));
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

function tell(alert, text) {
  const word = html("b", {}, `✕ ${say("image.error")}`);
  alert.replaceChildren(html("div", { class: "header-alert" }, word, html("p", {}, text)));
}
