// An utterance or typed text and its turn, from the press to the turn's end.

const SHORT_MS = 250; // a press this short was a tap, not an utterance

export class Exchange {
  #since = 0;
  recording = null;
  said = null; // a recording, the promise of one, or text
  turnId = null;

  /** @param {import("./turn_view.js").TurnView} view the turn on the page @param {boolean} live uses WebRTC */
  constructor(view, live) {
    this.view = view;
    this.live = live;
  }

  /** The utterance begins. */
  record(recording) {
    this.recording = recording;
    this.#since = performance.now();
  }

  get short() {
    return performance.now() - this.#since < SHORT_MS;
  }

  /** Discard the utterance. */
  drop() {
    this.recording.drop();
    this.recording = null;
  }

  /** Whether it can move from a session to HTTP by itself: it has no transcript yet, and the recording exists. */
  get movable() {
    return this.live && this.recording !== null && !this.view.over && !this.view.heard;
  }
}
