// Runs on the audio thread: posts the microphone's samples, and confirms a flush after the last of them.

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.port.onmessage = () => this.port.postMessage("flushed");
  }

  process([input]) {
    if (input.length) this.port.postMessage(input[0].slice());
    return true;
  }
}

registerProcessor("capture", Capture);
