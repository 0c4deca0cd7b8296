// Windowed-sinc resampling (https://ccrma.stanford.edu/~jos/resample/), piece by piece, so that no work remains when
// the button is released. AudioContext could resample, but Firefox refuses a microphone of another rate than the
// context's.

const ZERO_CROSSINGS = 16;
const STEPS = 512;
const TABLE = Float32Array.from({ length: ZERO_CROSSINGS * STEPS + 1 }, (_, step) => {
  const x = step / STEPS;
  const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  return sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / ZERO_CROSSINGS));
});

export class Resampler {
  #step;
  #scale;
  #reach;
  #samples = new Float32Array(0);
  #next;

  /** Rates in hertz. */
  constructor(from, to) {
    this.#step = from / to;
    this.#scale = Math.min(1, to / from) * 0.95; // the rest of the band is the filter's transition
    this.#reach = Math.ceil(ZERO_CROSSINGS / this.#scale);
    this.#next = this.#reach;
    this.#samples = new Float32Array(this.#reach); // silence before the first sample
  }

  /** 16-bit samples at the new rate; samples that depend on later input are returned by a later call. */
  feed(samples) {
    const all = new Float32Array(this.#samples.length + samples.length);
    all.set(this.#samples);
    all.set(samples, this.#samples.length);
    const made = [];
    for (; this.#next + this.#reach < all.length; this.#next += this.#step) made.push(this.#at(all, this.#next));
    const unneeded = Math.max(0, Math.floor(this.#next) - this.#reach);
    this.#samples = all.slice(unneeded);
    this.#next -= unneeded;
    return Int16Array.from(made, (value) => Math.round(32767 * Math.max(-1, Math.min(1, value))));
  }

  /** The remaining samples. */
  finish() {
    return this.feed(new Float32Array(this.#reach));
  }

  #at(samples, position) {
    let sum = 0;
    const last = Math.floor(position + this.#reach);
    for (let index = Math.ceil(position - this.#reach); index <= last; index++) {
      const distance = Math.abs(position - index) * this.#scale;
      if (distance <= ZERO_CROSSINGS) sum += samples[index] * TABLE[Math.round(distance * STEPS)];
    }
    return sum * this.#scale;
  }
}
