// The words of the page in two languages. A module adds its own at its top; `{n}` in a text stands for a value.

const TABLE = new Map();
const LANGUAGES = ["en", "ko"];

/** Add words: {key: ["English", "한국어"]}. */
export function addWords(words) {
  for (const [key, texts] of Object.entries(words)) TABLE.set(key, texts);
}

addWords({
  "words.input": ["Input", "입력"],
  "words.output": ["Output", "출력"],
});

/** The language that is shown: "en" or "ko". */
export function language() {
  return document.documentElement.lang === "ko" ? "ko" : "en";
}

/** Show another language; `languagechange` on the document tells. */
export function setLanguage(chosen) {
  document.documentElement.lang = LANGUAGES.includes(chosen) ? chosen : "en";
  document.dispatchEvent(new Event("languagechange"));
}

/** The text of a key in the chosen language, its places filled. */
export function say(key, values = {}) {
  const texts = TABLE.get(key);
  if (!texts) throw new Error(`no words for ${key}`);
  return texts[LANGUAGES.indexOf(language())].replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}
