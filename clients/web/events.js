// Reads server-sent events from a fetch: https://html.spec.whatwg.org/multipage/server-sent-events.html
// EventSource cannot POST.

/** The JSON documents of a response, each as soon as it is complete. */
export async function* documents(response) {
  for await (const block of blocks(response.body)) {
    const data = block
      .split("\n")
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trimStart());
    if (data.length) yield JSON.parse(data.join("\n"));
  }
}

/** The blocks between empty lines; an unfinished block at the end is dropped, as the standard requires. */
async function* blocks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      // A CR at the end may be half of a CR LF, so line ends are replaced in all unread text.
      rest = (rest + value).replace(/\r\n/g, "\n");
      const whole = rest.split("\n\n");
      rest = whole.pop();
      yield* whole;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
