// Further parts of a clip's turn: the reply's speech by URL, the complete transcript, captions.

import { element } from "./element.js";

/** @param {{text: string, captions: string, speech: string}} parts addresses @param {boolean} spoken there is speech */
export function clipParts({ text, captions, speech }, spoken) {
  const links = element("p.quiet", {}, link("Complete transcript", text), " · ", link("Captions", captions));
  return element("div.parts", {}, ...(spoken ? [player(speech)] : []), links);
}

/** Speech is stored for a day only; whether it still exists is known only when it is played. */
function player(src) {
  const audio = element("audio", { controls: true, preload: "none", src, ariaLabel: "The reply, spoken" });
  audio.onerror = () => audio.replaceWith(element("p.quiet", { role: "status" }, "The speech is no longer available."));
  return audio;
}

function link(text, href) {
  return element("a", { href, target: "_blank" }, text);
}
