// Turns over HTTP: one POST per turn, whose response streams the events; speech is played as it arrives.

import { Unreachable } from "./backend.js";
import { documents } from "./events.js";

export class HttpRoad {
  #backend;
  #player;
  #emit;
  #flight = null;

  /** @param {(document: object) => void} emit receives the turn's events, and `session.state` as a session sends it */
  constructor(backend, player, emit) {
    this.#backend = backend;
    this.#player = player;
    this.#emit = emit;
  }

  /** Take a turn with a recording or text; a turn in progress is stopped. */
  async send(said, options) {
    this.stop();
    const flight = (this.#flight = new AbortController());
    const emit = (document) => this.#flight === flight && this.#emit(document);
    emit({ type: "session.state", state: "thinking" });
    try {
      await this.#follow(await this.#backend.takeTurn(said, options, flight.signal), emit);
      await this.#player.played();
    } catch (error) {
      emit(failure(error));
    }
    emit({ type: "session.state", state: "connected" });
    if (this.#flight === flight) this.#flight = null;
  }

  /** Stop the turn and its speech; no further events of it are passed on. */
  stop() {
    this.#flight?.abort();
    this.#flight = null;
    this.#player.stop();
  }

  async #follow(response, emit) {
    let last = null;
    for await (last of documents(response)) {
      if (last.type === "speech.audio.delta") this.#speak(last, emit);
      else emit(last);
    }
    if (!["turn.done", "error"].includes(last?.type)) throw new Unreachable("The response broke off.");
  }

  #speak({ audio, seq }, emit) {
    if (seq === 0) emit({ type: "session.state", state: "speaking" });
    this.#player.play(audio);
  }
}

/** An error as an `error` event. */
function failure(error) {
  if (error.document) return { ...error.document, type: "error" };
  return { type: "error", code: "unreachable", detail: error.message, retryable: true };
}
