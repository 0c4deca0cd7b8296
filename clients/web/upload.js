// Sends a file to storage. XMLHttpRequest, because fetch does not report the progress of an upload.

/** The upload failed: `status` is that of storage's response, 0 without a response. */
export class UploadFailed extends Error {
  constructor(status) {
    super(`Storage answered ${status}.`);
    this.status = status;
  }
}

/**
 * @param {File} file @param {{method: string, url: string, headers: Record<string, string>}} slot
 * @param {(sent: number, total: number) => void} progress in bytes
 * @throws {UploadFailed}
 */
export function put(file, { method, url, headers }, progress, signal) {
  const request = new XMLHttpRequest();
  request.open(method, url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.upload.onprogress = ({ loaded, total }) => progress(loaded, total);
  return new Promise((resolve, reject) => {
    request.onload = () => (request.status < 300 ? resolve() : reject(new UploadFailed(request.status)));
    request.onerror = () => reject(new UploadFailed(0));
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
