/** Lets the browser save what is at an address of ours. */
export function saveFrom(url: string, name = "") {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** Lets the browser save a text as a file. */
export function saveText(text: string, name: string, mediaType = "text/plain") {
  const url = URL.createObjectURL(new Blob([text], { type: mediaType }));
  saveFrom(url, name);
  URL.revokeObjectURL(url);
}
