// Turns over WebRTC: keeps a session open for the current conversation where the network allows it.

import { Session } from "./session.js";

const RETRY_PAUSE_SECONDS = 120; // after a failure, before the next attempt

export class WebRtcRoad {
  #make;
  #microphone;
  #listener;
  #session = null;
  #opening = null; // the conversation a session is being opened for; "new" until it has an id
  #notBefore = 0;

  /** @param {{named: Function, event: Function, closed: Function, changed: Function}} listener as for Session, and `changed` */
  constructor(backend, speech, microphone, listener) {
    this.#microphone = microphone;
    this.#listener = listener;
    this.#make = () => {
      const session = new Session(backend, speech, {
        named: (id) => session === this.#session && this.#named(id),
        event: (document) => session === this.#session && listener.event(document),
        closed: () => this.#over(session),
      });
      return session;
    };
    microphone.addEventListener("opened", () => this.#session?.hear(microphone.track));
    microphone.addEventListener("closed", () => this.#session?.hear(null));
    addEventListener("online", () => (this.#notBefore = 0));
  }

  /** `open`, `connecting`, `blocked` (the last attempt failed) or `closed`. */
  get state() {
    if (this.#session?.open) return "open";
    if (this.#opening) return "connecting";
    return this.#notBefore > Date.now() ? "blocked" : "closed";
  }

  /** Whether the next turn of that conversation can use WebRTC. */
  carries(conversationId) {
    return Boolean(this.#session?.open && this.#session.conversationId === conversationId);
  }

  /** Open a session for that conversation, unless there is one or an attempt has just failed. */
  async ensure({ conversationId, ...options }) {
    if (!globalThis.RTCPeerConnection || this.carries(conversationId)) return;
    if (this.state === "blocked" || this.#opening === (conversationId ?? "new")) return;
    this.close();
    this.#opening = conversationId ?? "new";
    const session = (this.#session = this.#make());
    this.#listener.changed();
    try {
      await session.connect({ conversationId: conversationId ?? undefined, ...options }, this.#microphone.track);
      if (this.#microphone.track) session.hear(this.#microphone.track); // the microphone may have been opened meanwhile
    } catch {
      if (session === this.#session) this.#notBefore = Date.now() + 1000 * RETRY_PAUSE_SECONDS;
      session.close();
    }
    if (session === this.#session) this.#opening = null;
    this.#listener.changed();
  }

  #named(conversationId) {
    this.#opening = conversationId;
    this.#listener.named(conversationId);
  }

  send(message) {
    this.#session?.send(message);
  }

  close() {
    const session = this.#session;
    this.#session = this.#opening = null;
    session?.close();
  }

  #over(session) {
    if (session !== this.#session) return;
    this.#session = this.#opening = null;
    this.#listener.closed();
    this.#listener.changed();
  }
}
