// One WebRTC session: negotiated over HTTP, then speech on the audio track, control and events on a data channel.

import { documents } from "./events.js";

const GATHER_SECONDS = 3; // enough to reach a relay over TLS
const CONNECT_SECONDS = 6;
const DISCONNECTED_SECONDS = 4; // a connection that survives a change of network recovers within this time

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
   *   `named` comes first, with the conversation's id, also when the conversation has no turn yet
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
    await within(GATHER_SECONDS, gathered(this.#peer)).catch(() => {}); // the candidates found by then may suffice
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

  /** The first event is the answer; later events also arrive over the data channel, except possibly the end. */
  async #accept(events) {
    const { value: created } = await events.next();
    await this.#peer.setRemoteDescription(created.answer);
    this.#follow(events);
  }

  async #follow(events) {
    try {
      for await (const event of events) if (event.type === "session.closed") this.close();
    } catch {
      // A proxy may end the stream before the session ends; then the connection's state shows when the session is over.
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

  /** Send the server a message: `input_audio_buffer.commit`, `input_text`, … */
  send(message) {
    if (this.open) this.#channel.send(JSON.stringify(message));
  }

  /** Send the microphone's *track* from now on; null sends nothing. */
  hear(track) {
    this.#sender?.replaceTrack(track).catch(() => {}); // the connection is closing
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
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("Connecting timed out.")), 1000 * seconds));
  return Promise.race([promise, late]);
}
