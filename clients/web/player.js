// Plays speech that arrives in pieces, without gaps.

const RATE = 24_000; // hertz of the PCM in speech.audio.delta and of the context, so pieces are not resampled one by one
const LEAD_SECONDS = 0.06; // buffer at the beginning and after a gap in the network

export class Player {
  #context;
  #output = null;
  #frames = 0; // start of the next piece, in frames of the context's clock
  #playing = new Set();
  #ended = null;
  analyser = null;

  /** @param {BaseAudioContext?} context of 24 kHz; by default one of the loudspeaker, created by the first `unlock` */
  constructor(context = null) {
    this.#context = context;
    if (context) this.#connect();
  }

  /** Browsers play sound only after a user action: call this from a press, a release or a key. */
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
    // Frames, unlike seconds, keep the transitions exact.
    if (this.#frames < this.#context.currentTime * RATE) this.#frames = now;
    source.start(this.#frames / RATE);
    this.#frames += samples.length;
    this.#playing.add(source);
    source.onended = () => this.#over(source);
  }

  /** Stop at once; `played` resolves without the rest. */
  stop() {
    for (const source of this.#playing) {
      source.onended = null;
      source.stop();
    }
    this.#playing.clear();
    this.#frames = 0;
    this.#ended?.();
  }

  /** Wait until all pieces have been played. */
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
