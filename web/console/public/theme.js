// Runs before the first paint, so that a kept choice of theme never flashes. The same key is used in src/shared/lib/theme.ts.
(() => {
  let kept = null;
  try {
    kept = localStorage.getItem("patchbay.theme");
  } catch {
    // Storage may be forbidden; the system's choice is then followed.
  }
  const dark = kept === "dark" || (kept !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
