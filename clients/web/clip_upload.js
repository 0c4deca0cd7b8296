// Upload of one recording: opens a clip, uploads it to storage, and follows it until it is done or has failed.

import { Refused, Unreachable } from "./backend.js";
import { documents } from "./events.js";
import { put } from "./upload.js";

const AGAIN_MS = 2000; // pause before reconnecting to an unreachable server
const ENDED = ["done", "failed", "expired", "cancelled"];

export class ClipUpload {
  #backend;
  #progress;
  #flight = new AbortController();
  #clipId = null;

  /** @param {import("./clip_progress.js").ClipProgress} progress shows the progress */
  constructor(backend, progress) {
    this.#backend = backend;
    this.#progress = progress;
  }

  /**
   * @param {File} file @param {object} options of the clip @param {(conversationId: string) => void} opened
   * @returns {Promise<object>} the clip's final state
   */
  async run(file, options, opened) {
    const { signal } = this.#flight;
    this.#progress.opens();
    const members = { ...options, contentType: file.type || undefined, sizeBytes: file.size };
    const { clipId, conversationId, upload } = await this.#backend.openClip(members, signal);
    this.#clipId = clipId;
    opened(conversationId);
    await put(file, upload, (sent, total) => this.#progress.uploads(sent, total), signal);
    return this.#followed(signal);
  }

  /** Cancel the clip on the server, then stop. If the request fails, the upload continues, as the server would too. */
  async cancel() {
    if (this.#clipId) await this.#backend.cancelClip(this.#clipId);
    this.#flight.abort();
  }

  /** Follow the clip. The server works on without a connection, so a lost one only delays the progress shown. */
  async #followed(signal) {
    for (;;) {
      try {
        const response = await this.#backend.followClip(this.#clipId, signal);
        for await (const clip of documents(response)) {
          if (ENDED.includes(clip.status)) return clip;
          this.#progress.works(clip);
        }
      } catch (error) {
        if (!passes(error)) throw error;
        this.#progress.outOfSight();
      }
      await pause(AGAIN_MS, signal);
      signal.throwIfAborted();
    }
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener("abort", resolve, { once: true });
  });
}

/** Whether to reconnect after *error*; a stream that breaks off is a TypeError. */
function passes(error) {
  return error instanceof Refused ? error.document.retryable : error instanceof Unreachable || error instanceof TypeError;
}
