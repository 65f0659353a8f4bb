// Buttons that copy a snippet or the page's address.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text }); // for pages without https
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-page]");
  if (!button) return;
  const text = "copyPage" in button.dataset ? location.href : button.closest(".gs-snippet").querySelector("code").innerText;
  await copy(text);
  button.textContent = "Copied";
  button.addEventListener("pointerleave", () => (button.textContent = "Copy"), { once: true });
});
