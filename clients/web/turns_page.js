// The last turns of a local worker, drawn as bars over time. The data has times and ids, but no words.

import { element } from "./element.js";

const TURNS = "/api/voice/debug/turns";
const AGAIN_MS = 2000;
const NAMES = { utterance: "listening" };

const list = document.querySelector("#turns");
const none = document.querySelector("#none");
let shown = "";

async function look() {
  const response = await fetch(TURNS).catch(() => undefined);
  if (!response?.ok) {
    none.textContent = "No worker shows its turns here. Set DEBUG_TURNS=true, as make run does.";
    none.hidden = false;
    return;
  }
  const { turns } = await response.json();
  const latest = turns[0]?.turnId ?? "";
  none.hidden = turns.length > 0;
  none.textContent = "No turn yet.";
  if (latest !== shown) {
    list.replaceChildren(...turns.map(turnView));
    shown = latest;
  }
}

function turnView(turn) {
  const [whole, ...parts] = turn.parts;
  const heading = element(
    "p.heading",
    {},
    element("time", { dateTime: turn.at }, new Date(turn.at).toLocaleTimeString()),
    element(`span.outcome.${turn.outcome}`, {}, [turn.outcome, turn.code].filter(Boolean).join(": ")),
    element("span", {}, `${duration(whole.to)} in all`),
    ...firstAudio(turn.timings),
    ...turn.degraded.map((part) => element("span.failed", {}, `without ${part}`)),
  );
  const bars = element("ol.parts", {}, ...parts.map((part) => partView(part, whole.to)));
  return element("li.turn", {}, heading, bars, element("p.id", {}, `turn ${turn.turnId}, request ${turn.requestId}`));
}

function firstAudio({ firstAudio: ms }) {
  return ms === undefined ? [] : [element("span", {}, `first sound ${duration(ms)} after the utterance`)];
}

function partView(part, wholeMs) {
  const bar = element(`span.bar.${part.call ? "call" : part.name}`, { ariaHidden: "true" });
  const share = 100 / Math.max(wholeMs, 1);
  bar.style.marginInlineStart = `${part.from * share}%`;
  bar.style.inlineSize = `${Math.max(0.3, (part.to - part.from) * share)}%`;
  const name = element("span.name", {}, NAMES[part.name] ?? part.name);
  const ms = element("span.ms", {}, [duration(part.to - part.from), part.error].filter(Boolean).join(" "));
  return element(part.error ? "li.failed" : "li", {}, name, element("span.track", {}, bar), ms);
}

function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

await look();
document.body.dataset.state = "watching";
setInterval(look, AGAIN_MS);
