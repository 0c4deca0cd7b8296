// What there is of a clip besides its turn: the reply's speech by URL, the whole transcript, captions.

import { element } from "./element.js";

/** @param {{text: string, captions: string, speech: string}} parts addresses @param {boolean} spoken the reply is */
export function clipParts({ text, captions, speech }, spoken) {
  const links = element("p.quiet", {}, link("Whole transcript", text), " · ", link("Captions", captions));
  return element("div.parts", {}, ...(spoken ? [player(speech)] : []), links);
}

/** Speech is kept for a day only, so that it is there is not known before it is played. */
function player(src) {
  const audio = element("audio", { controls: true, preload: "none", src, ariaLabel: "The reply, spoken" });
  audio.onerror = () => audio.replaceWith(element("p.quiet", { role: "status" }, "Its speech cannot be played any more."));
  return audio;
}

function link(text, href) {
  return element("a", { href, target: "_blank" }, text);
}
