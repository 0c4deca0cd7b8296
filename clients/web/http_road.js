// Turns over HTTP: one POST per turn, whose response streams the events; speech is played as it arrives.

import { Unreachable } from "./backend.js";
import { documents } from "./events.js";

export class HttpRoad {
  #backend;
  #player;
  #tell;
  #flight = null;

  /** @param {(document: object) => void} tell receives the turn's events, and `session.state` as a session sends it */
  constructor(backend, player, tell) {
    this.#backend = backend;
    this.#player = player;
    this.#tell = tell;
  }

  /** Take a turn with a recording or text; a turn in progress is stopped. */
  async send(said, options) {
    this.stop();
    const flight = (this.#flight = new AbortController());
    const tell = (document) => this.#flight === flight && this.#tell(document);
    tell({ type: "session.state", state: "thinking" });
    try {
      await this.#follow(await this.#backend.takeTurn(said, options, flight.signal), tell);
      await this.#player.played();
    } catch (error) {
      tell(failure(error));
    }
    tell({ type: "session.state", state: "connected" });
    if (this.#flight === flight) this.#flight = null;
  }

  /** Stop the turn and its speech; no further events of it are passed on. */
  stop() {
    this.#flight?.abort();
    this.#flight = null;
    this.#player.stop();
  }

  async #follow(response, tell) {
    let last = null;
    for await (last of documents(response)) {
      if (last.type === "speech.audio.delta") this.#speak(last, tell);
      else tell(last);
    }
    if (!["turn.done", "error"].includes(last?.type)) throw new Unreachable("The response broke off.");
  }

  #speak({ audio, seq }, tell) {
    if (seq === 0) tell({ type: "session.state", state: "speaking" });
    this.#player.play(audio);
  }
}

/** An error as an `error` event. */
function failure(error) {
  if (error.document) return { ...error.document, type: "error" };
  return { type: "error", code: "unreachable", detail: error.message, retryable: true };
}
