// One utterance, from the press to the release.

import { Resampler } from "./resampler.js";
import { wav } from "./wav.js";

const RATE = 16_000; // hertz of recognition
const TAIL_MS = 50; // the last syllable is still in the sound card's buffers when the button is released

export class Recording {
  #source;
  #capture;
  #resampler;
  #pieces = [];
  #flushed;

  /** @param {AudioNode} source the microphone, in a context that has loaded capture_worklet.js */
  constructor(source) {
    const { context } = source;
    this.#source = source;
    this.#resampler = new Resampler(context.sampleRate, RATE);
    this.#capture = new AudioWorkletNode(context, "capture", { channelCount: 1, channelCountMode: "explicit" });
    this.#flushed = new Promise((resolve) => {
      this.#capture.port.onmessage = ({ data }) => (data === "flushed" ? resolve() : this.#keep(data));
    });
    source.connect(this.#capture).connect(context.destination); // the node is silent, but runs only with a destination
  }

  #keep(samples) {
    this.#pieces.push(this.#resampler.feed(samples));
  }

  /** End it, and return it as a WAV file. */
  async finish() {
    await new Promise((resolve) => setTimeout(resolve, TAIL_MS));
    this.#capture.port.postMessage("flush");
    await this.#flushed;
    this.drop();
    return wav([...this.#pieces, this.#resampler.finish()], RATE);
  }

  /** End it. */
  drop() {
    this.#source.disconnect(this.#capture);
    this.#capture.disconnect();
  }
}
