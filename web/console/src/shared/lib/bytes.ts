/** "12 bytes", "3 KB", "1.5 MB". */
export function bytes(count: number): string {
  if (count < 1024) return `${count} bytes`;
  if (count < 1024 * 1024) return `${Math.floor(count / 1024)} KB`;
  return `${(count / 1024 / 1024).toFixed(1)} MB`;
}
