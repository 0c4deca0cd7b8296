// The times of a turn's stages, as the server measured them.

import { element } from "./element.js";

const STAGES = [
  ["stt", "heard"],
  ["assistant", "thought"],
  ["tts", "voiced"],
];
const FULL_WIDTH_MS = 2000; // bars of different turns share this scale; longer ones fill it

/** @param {Record<string, number>} timings milliseconds; stt, assistant and tts add up to firstAudio */
export function timingBar(timings) {
  const known = STAGES.filter(([stage]) => timings[stage]); // a typed turn has no stt
  const sum = known.reduce((total, [stage]) => total + timings[stage], 0);
  const bar = element("div.bar", { ariaHidden: "true" });
  bar.style.width = `${Math.min(100, (100 * sum) / FULL_WIDTH_MS)}%`;
  for (const [stage] of known) {
    const part = element(`span.${stage}`);
    part.style.flexGrow = timings[stage];
    bar.append(part);
  }
  return element("div.timings", {}, bar, element("p", {}, ...legend(known, timings)));
}

function legend(known, timings) {
  const parts = known.map(([stage, verb]) => element(`span.${stage}`, {}, `${verb} ${duration(timings[stage])}`));
  if (timings.firstAudio !== undefined) parts.push(element("span", {}, `first sound ${duration(timings.firstAudio)}`));
  if (timings.total !== undefined) parts.push(element("span", {}, `whole turn ${duration(timings.total)}`));
  return parts;
}

function duration(ms) {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
