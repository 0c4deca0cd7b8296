// Loudness, shown thirty times a second by a meter and by the ring around the button.

const FLOOR_DB = -55;
const FRAME_MS = 1000 / 30;

export class LevelMeter {
  #meter;
  #ring;
  #source = null;

  constructor(meter, ring) {
    this.#meter = meter;
    this.#ring = ring;
  }

  /** Show the level of *analyser*, with its *name* (microphone or speech); null shows zero. */
  watch(name, analyser) {
    const idle = this.#source === null;
    this.#source = analyser && { name, analyser, samples: new Float32Array(analyser.fftSize) };
    this.#meter.dataset.source = analyser ? name : "";
    if (idle && analyser) this.#draw();
    if (!analyser) this.#show(0);
  }

  #draw() {
    if (!this.#source) return;
    const { analyser, samples } = this.#source;
    analyser.getFloatTimeDomainData(samples);
    this.#show(loudness(samples));
    setTimeout(() => requestAnimationFrame(() => this.#draw()), FRAME_MS);
  }

  #show(level) {
    this.#meter.value = level;
    this.#ring.style.setProperty("--level", level.toFixed(3));
  }
}

/** 0 (silence) to 1 (full scale), in even steps of decibels. */
function loudness(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const decibels = 10 * Math.log10(power + 1e-12);
  return Math.max(0, Math.min(1, 1 - decibels / FLOOR_DB));
}
