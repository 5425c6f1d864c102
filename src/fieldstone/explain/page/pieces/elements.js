// Elements of the page. What people wrote enters as text or attribute, never as markup.

/** An element; attributes that are null or false are left out, children that are null too. */
export function html(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value === true ? "" : value);
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** A button with its words; `does` is called at a click. */
export function button(label, does, attributes = {}) {
  const element = html("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", does);
  return element;
}
