// The reply's sound as WebRTC brings it. An audio element plays it, so that echo cancellation knows of it.

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

  /** Browsers play nothing before the user has done something: call this from a press, a release or a key. */
  unlock() {
    this.#context ??= new AudioContext();
    this.#context.resume();
    if (this.#stream && this.#element.paused) this.#element.play().catch(() => {}); // the next press tries again
    this.#listen();
  }

  /** Silent at once, ahead of the server and of what the network still holds. */
  mute(muted) {
    this.#element.muted = muted;
  }

  /** Look at what is played, for the meter; nothing is played twice, as this leads nowhere. */
  #listen() {
    if (!this.#context || !this.#stream || this.#source?.mediaStream === this.#stream) return;
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(this.#stream);
    this.analyser = this.#context.createAnalyser();
    this.#source.connect(this.analyser);
  }
}
