// What went wrong, in words that say what to do.

import { Refused, Unreachable } from "./backend.js";

const MICROPHONE = {
  NotAllowedError:
    "The microphone is blocked. Allow it for this page beside the address (or in the browser's settings), then press again. Typing works meanwhile.",
  NotFoundError: "No microphone was found. Connect one and press again. Typing works meanwhile.",
  NotReadableError: "Another program holds the microphone. Close it there and press again. Typing works meanwhile.",
  InvalidStateError:
    "Browsers give a microphone to secure pages only. Open this page with https, or at 127.0.0.1. Typing works meanwhile.",
};

const PROBLEMS = {
  unreachable: "The server cannot be reached. See that it runs and that you are online, then try again.",
  "no-speech": "Nothing was heard. Hold the button while you speak, close to the microphone.",
  "audio-too-short": "Nothing was heard. Hold the button while you speak.",
  "audio-empty": "Nothing was heard. Hold the button while you speak.",
};

/** @param {DOMException} error of getUserMedia */
export function microphoneTrouble(error) {
  return MICROPHONE[error.name] ?? `The microphone does not work: ${error.message}. Typing works meanwhile.`;
}

/** @param {{code: string, detail: string}} problem an `error` event or a problem document */
export function problemTrouble({ code, detail }) {
  return PROBLEMS[code] ?? detail;
}

/** @param {Error} error of the backend */
export function backendTrouble(error) {
  if (error instanceof Refused) return problemTrouble(error.document);
  if (error instanceof Unreachable) return PROBLEMS.unreachable;
  return error.message;
}
