// The reply's sound from WebRTC. An audio element plays it, so that echo cancellation takes it into account.

export class RemoteSpeech {
  #element = new Audio();
  #context = null;
  #stream = null;
  #source = null;
  analyser = null;

  constructor() {
    this.#element.autoplay = true;
  }

  /** Play *track* from now on. */
  attach(track) {
    this.#stream = new MediaStream([track]);
    this.#element.srcObject = this.#stream;
    this.#listen();
  }

  /** Browsers play sound only after a user action: call this from a press, a release or a key. */
  unlock() {
    this.#context ??= new AudioContext();
    this.#context.resume();
    if (this.#stream && this.#element.paused) this.#element.play().catch(() => {}); // the next press retries
    this.#listen();
  }

  /** Mute at once, before the server stops and although sound is still in transit. */
  mute(muted) {
    this.#element.muted = muted;
  }

  /** Connect an analyser for the meter; it has no destination, so nothing is played twice. */
  #listen() {
    if (!this.#context || !this.#stream || this.#source?.mediaStream === this.#stream) return;
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(this.#stream);
    this.analyser = this.#context.createAnalyser();
    this.#source.connect(this.analyser);
  }
}
