// Plays speech that arrives piece by piece, without gaps.

const RATE = 24_000; // of the PCM in speech.audio.delta; the context has the same, so no piece is resampled by itself
const LEAD_SECONDS = 0.06; // what a hurried beginning, or a hole in the network, may take

export class Player {
  #context;
  #output = null;
  #frames = 0; // when the next piece begins, in frames of the context's clock
  #playing = new Set();
  #ended = null;
  analyser = null;

  /** @param {BaseAudioContext?} context of 24 kHz; by default one of the loudspeaker's, made on the first `unlock` */
  constructor(context = null) {
    this.#context = context;
    if (context) this.#connect();
  }

  /** Browsers play nothing before the user has done something: call this from a press, a release or a key. */
  unlock() {
    if (!this.#context) {
      this.#context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
      this.#connect();
    }
    if (this.#context.state === "suspended") this.#context.resume();
  }

  #connect() {
    this.#output = this.#context.createGain();
    this.analyser = this.#context.createAnalyser();
    this.#output.connect(this.analyser).connect(this.#context.destination);
  }

  /** @param {string} base64 mono 16-bit little-endian PCM at 24 kHz */
  play(base64) {
    const samples = decoded(base64);
    if (!samples.length) return;
    const buffer = this.#context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#output);
    const now = Math.ceil((this.#context.currentTime + LEAD_SECONDS) * RATE);
    // Counting frames, not seconds, keeps the seams exact.
    if (this.#frames < this.#context.currentTime * RATE) this.#frames = now;
    source.start(this.#frames / RATE);
    this.#frames += samples.length;
    this.#playing.add(source);
    source.onended = () => this.#over(source);
  }

  /** Silence, now; `played` does not wait for what was to come. */
  stop() {
    for (const source of this.#playing) {
      source.onended = null;
      source.stop();
    }
    this.#playing.clear();
    this.#frames = 0;
    this.#ended?.();
  }

  /** Until all that was given has been heard. */
  async played() {
    if (this.#playing.size) await new Promise((resolve) => (this.#ended = resolve));
    this.#ended = null;
  }

  #over(source) {
    this.#playing.delete(source);
    if (!this.#playing.size) this.#ended?.();
  }
}

function decoded(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, index) => view.getInt16(2 * index, true) / 32768);
}
