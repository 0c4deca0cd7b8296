// Creates elements. Text is inserted as text, never as markup.

/** @param {string} name such as `p` or `p.quiet` @param {object} properties of the element; `on…` are listeners */
export function element(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  Object.assign(made, properties);
  made.append(...children);
  return made;
}
