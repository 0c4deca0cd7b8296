// Error messages that say what to do.

import { Refused, Unreachable } from "./backend.js";
import { UploadFailed } from "./upload.js";

const MICROPHONE = {
  NotAllowedError:
    "The microphone is blocked. Allow it for this page beside the address (or in the browser's settings), then press again. Typing works meanwhile.",
  NotFoundError: "No microphone was found. Connect one and press again. Typing works meanwhile.",
  NotReadableError: "Another program holds the microphone. Close it there and press again. Typing works meanwhile.",
  InvalidStateError:
    "Browsers give a microphone to secure pages only. Open this page with https, or at 127.0.0.1. Typing works meanwhile.",
};

const PROBLEMS = {
  unreachable: "The server cannot be reached. Check that it is running and that you are online, then try again.",
  "no-speech": "Nothing was heard. Hold the button while you speak, close to the microphone.",
  "audio-too-short": "Nothing was heard. Hold the button while you speak.",
  "audio-empty": "Nothing was heard. Hold the button while you speak.",
};

const STORAGE =
  "Recordings need storage, and the server cannot reach any. If it runs on your machine, install Node (nodejs.org) and run make run again; elsewhere see STORAGE_URL in docs/settings.md.";

const CLIPS = {
  "audio-too-large":
    "The recording is larger than the server takes. Compress it (m4a, mp3 or opus), or upload it in parts.",
  "audio-too-long": "The recording is longer than the server takes. Upload it in parts.",
  "no-speech": "There is no speech in this recording.",
};

const UPLOADS = {
  0: "The recording could not be sent: the connection was lost, or storage does not accept uploads from this page. Check that you are online, then try again.",
  403: "Storage refuses the recording: its upload link has expired. Try again.",
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

/** @param {{code: string, detail: string, stage?: string}} problem of a clip, or of the request that opens one */
export function clipTrouble({ code, detail, stage }) {
  if (code === "stage-unreachable" && stage === "storage") return STORAGE;
  return CLIPS[code] ?? detail;
}

/** @param {Error} error of an upload */
export function uploadTrouble(error) {
  if (error instanceof Refused) return clipTrouble(error.document);
  if (error instanceof UploadFailed) return UPLOADS[error.status] ?? error.message;
  return backendTrouble(error);
}
