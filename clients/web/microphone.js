// The microphone: opened by the first press, muted between presses.

import { Recording } from "./recording.js";

export class Microphone extends EventTarget {
  #context = null;
  #stream = null;
  #source = null;
  #recording = null;
  analyser = null;

  get open() {
    return this.#stream !== null;
  }

  get track() {
    return this.#stream?.getAudioTracks()[0] ?? null;
  }

  /**
   * Open it; the first time the browser prompts the user.
   * @throws {DOMException} NotAllowedError, NotFoundError, NotReadableError; InvalidStateError on an insecure page
   */
  async start() {
    if (!navigator.mediaDevices) throw new DOMException("This address is not secure.", "InvalidStateError");
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    await this.#connect(stream);
    this.track.enabled = false;
    this.track.addEventListener("ended", () => this.stop());
    this.dispatchEvent(new Event("opened"));
  }

  async #connect(stream) {
    if (!this.#context) {
      this.#context = new AudioContext({ latencyHint: "interactive" });
      await this.#context.audioWorklet.addModule("capture_worklet.js");
    }
    await this.#context.resume();
    this.#stream = stream;
    this.#source = this.#context.createMediaStreamSource(stream);
    this.analyser = this.#context.createAnalyser();
    this.#source.connect(this.analyser);
  }

  /** Close it; the browser's recording indicator goes off. */
  stop() {
    if (!this.open) return;
    this.#stream.getTracks().forEach((track) => track.stop());
    this.#stream = this.#source = this.#recording = this.analyser = null;
    this.dispatchEvent(new Event("closed"));
  }

  /** Begin an utterance. */
  record() {
    this.track.enabled = true;
    this.#recording = new Recording(this.#source);
    return this.#recording;
  }

  /** Mute it after *recording*, unless the next has begun. */
  mute(recording) {
    if (recording !== this.#recording) return;
    this.#recording = null;
    if (this.track) this.track.enabled = false;
  }
}
