// HTTP client of the backend. docs/web.md lists the calls that the page makes.

/** An error response of the backend; `document` is its problem document (RFC 9457). */
export class Refused extends Error {
  constructor(document) {
    super(document.detail);
    this.document = document;
  }
}

/** No response: the server or the network is unavailable. */
export class Unreachable extends Error {}

export class Backend {
  #base;

  /** @param {string} base path of the API, such as `/api/voice` */
  constructor(base) {
    this.#base = base;
  }

  voices() {
    return this.#json("/voices");
  }

  conversations(continuation) {
    return this.#json(`/conversations?${query({ limit: 20, continuation })}`);
  }

  /** A page of a conversation's turns, latest first. */
  turns(conversationId, continuation) {
    return this.#json(`/conversations/${conversationId}?${query({ limit: 20, continuation })}`);
  }

  async forget(conversationId) {
    await this.#fetch(`/conversations/${conversationId}`, { method: "DELETE" });
  }

  /** Begin a turn; the response streams its events. A recording is sent unchanged as the body, typed text as JSON. */
  takeTurn(said, options, signal) {
    const typed = typeof said === "string";
    return this.#fetch(typed ? "/process" : `/process?${query(options)}`, {
      method: "POST",
      body: typed ? JSON.stringify({ ...options, text: said }) : said,
      headers: {
        Accept: "text/event-stream",
        "Content-Type": typed ? "application/json" : "audio/wav",
      },
      signal,
    });
  }

  /** Fetch the ICE servers for an offer; the server warms up meanwhile. */
  prepareSession(body, signal) {
    return this.#json("/session", { ...posted(body), signal });
  }

  /** Offer a session. The response streams the answer and the session's end, and keeps the server's worker running. */
  openSession(body, signal) {
    const { headers, ...request } = posted(body);
    return this.#fetch("/session", { ...request, headers: { ...headers, Accept: "text/event-stream" }, signal });
  }

  /** Open a clip; the response has the address for the upload and the clip's id. */
  openClip(body, signal) {
    return this.#json("/clips", { ...posted(body), signal });
  }

  /** Stream a clip's progress as events until it has ended. */
  followClip(clipId, signal) {
    return this.#fetch(`/clips/${clipId}`, { headers: { Accept: "text/event-stream" }, signal });
  }

  async cancelClip(clipId) {
    await this.#fetch(`/clips/${clipId}`, { method: "DELETE" });
  }

  async clipText(clipId) {
    return (await this.#fetch(`/clips/${clipId}/transcript.txt`)).text();
  }

  async clipReply(clipId) {
    return (await this.#fetch(`/clips/${clipId}/reply.txt`)).text();
  }

  /** Addresses of the parts of a clip's turn. */
  clipParts({ clipId, conversationId }) {
    return {
      text: `${this.#base}/clips/${clipId}/transcript.txt`,
      captions: `${this.#base}/clips/${clipId}/transcript.vtt`,
      speech: `${this.#base}/conversations/${conversationId}/turns/${clipId}/speech`,
    };
  }

  async #json(path, request) {
    return (await this.#fetch(path, request)).json();
  }

  async #fetch(path, request) {
    let response;
    try {
      response = await fetch(this.#base + path, request);
    } catch (error) {
      throw error.name === "AbortError" ? error : new Unreachable(error.message);
    }
    if (!response.ok) throw new Refused(await problem(response));
    return response;
  }
}

function posted(body) {
  return { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

function query(members) {
  return new URLSearchParams(Object.entries(members).filter(([, value]) => value !== undefined && value !== null));
}

/** The response's problem document; a response without one, such as a proxy's page, is converted. */
async function problem(response) {
  if (response.headers.get("content-type")?.includes("json")) return response.json();
  const detail = `The server answered ${response.status} ${response.statusText}.`;
  return { code: "answer-unknown", status: response.status, detail, retryable: response.status >= 500 };
}
