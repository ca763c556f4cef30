// The reader's choice of light or dark lasts; without one the system's counts.
const root = document.documentElement;
const kept = localStorage.getItem("light");
if (kept) root.dataset.light = kept;
const button = document.getElementById("light");
button.hidden = false;
button.addEventListener("click", () => {
  const dark = root.dataset.light
    ? root.dataset.light === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.light = dark ? "light" : "dark";
  localStorage.setItem("light", root.dataset.light);
});
