// One WebRTC session: negotiated over HTTP, then speech on the audio track, control and events on a data channel.

import { documents } from "./events.js";

const GATHER_SECONDS = 3; // a relay behind TLS is found within this
const CONNECT_SECONDS = 6;
const DISCONNECTED_SECONDS = 4; // a change of network heals within this, or not at all

export class Session {
  #backend;
  #speech;
  #listener;
  #peer = null;
  #channel = null;
  #sender = null;
  #held = new AbortController();
  #grace = 0;
  #closed = false;
  conversationId = null;

  /**
   * @param {import("./remote_speech.js").RemoteSpeech} speech plays the reply
   * @param {{named: (conversationId: string) => void, event: (document: object) => void, closed: () => void}} listener
   *   `named` comes first: which conversation it is, also of one that has not begun
   */
  constructor(backend, speech, listener) {
    this.#backend = backend;
    this.#speech = speech;
    this.#listener = listener;
  }

  get open() {
    return this.#channel?.readyState === "open" && !this.#closed;
  }

  /**
   * Negotiate, until the data channel is open.
   * @param {{conversationId?: string, voice?: string, language?: string}} options
   * @param {MediaStreamTrack?} track the microphone's, once there is one
   */
  async connect(options, track) {
    const { signal } = this.#held;
    const { iceServers, conversationId } = await this.#backend.prepareSession(options, signal);
    this.conversationId = conversationId;
    this.#listener.named(conversationId);
    const opened = this.#prepare(iceServers, track);
    await this.#peer.setLocalDescription();
    await within(GATHER_SECONDS, gathered(this.#peer)).catch(() => {}); // what was found by then may do
    const { type, sdp } = this.#peer.localDescription;
    const response = await this.#backend.openSession({ ...options, conversationId, offer: { type, sdp } }, signal);
    await this.#accept(documents(response));
    await within(CONNECT_SECONDS, opened);
  }

  #prepare(iceServers, track) {
    this.#peer = new RTCPeerConnection({ iceServers });
    this.#peer.ontrack = ({ track: reply }) => this.#speech.attach(reply);
    this.#peer.onconnectionstatechange = () => this.#watch();
    this.#sender = this.#peer.addTransceiver(track ?? "audio", { direction: "sendrecv" }).sender;
    this.#channel = this.#peer.createDataChannel("events");
    this.#channel.onmessage = ({ data }) => this.#take(JSON.parse(data));
    this.#channel.onclose = () => this.close();
    return new Promise((resolve) => (this.#channel.onopen = resolve));
  }

  /** The first event is the answer; the rest comes over the data channel too, except perhaps the end. */
  async #accept(events) {
    const { value: created } = await events.next();
    await this.#peer.setRemoteDescription(created.answer);
    this.#follow(events);
  }

  async #follow(events) {
    try {
      for await (const event of events) if (event.type === "session.closed") this.close();
    } catch {
      // A proxy may end the stream before the session ends; the connection's own state tells when that is over.
    }
  }

  #take(event) {
    if (event.type === "session.closed") this.close();
    else this.#listener.event(event);
  }

  #watch() {
    clearTimeout(this.#grace);
    const state = this.#peer.connectionState;
    if (state === "failed") this.close();
    if (state === "disconnected") {
      this.#grace = setTimeout(() => this.close(), 1000 * DISCONNECTED_SECONDS);
    }
  }

  /** Tell the server something: `input_audio_buffer.commit`, `input_text`, … */
  send(message) {
    if (this.open) this.#channel.send(JSON.stringify(message));
  }

  /** Send the microphone's *track* from now on, or nothing. */
  hear(track) {
    this.#sender?.replaceTrack(track).catch(() => {}); // it closes at the same moment
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#grace);
    this.#held.abort();
    this.#peer?.close();
    this.#listener.closed();
  }
}

function gathered(peer) {
  return new Promise((resolve) => {
    const look = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", look);
    look();
  });
}

/** @throws {Error} when *promise* takes longer */
function within(seconds, promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("It took too long.")), 1000 * seconds));
  return Promise.race([promise, late]);
}
