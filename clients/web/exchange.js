// What the user said and what becomes of it, from the press to the end of the turn.

const SHORT_MS = 250; // a press this short was a tap, not an utterance

export class Exchange {
  #since = 0;
  recording = null;
  said = null; // a recording, or the promise of one, or text
  turnId = null;

  /** @param {import("./turn_view.js").TurnView} view its place on the page @param {boolean} live goes by WebRTC */
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

  /** The utterance does not count. */
  drop() {
    this.recording.drop();
    this.recording = null;
  }

  /** Whether it can move from a session to HTTP without the user: nothing has come of it, and the recording is here. */
  get movable() {
    return this.live && this.recording !== null && !this.view.over && !this.view.heard;
  }
}
