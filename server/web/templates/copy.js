// Buttons that copy a value of the page. They are out of sight where a page may not copy.
if (navigator.clipboard) document.documentElement.dataset.copies = "";

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  delete button.dataset.copied;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  button.dataset.copied = "";
  document.getElementById("status").textContent = "Copied.";
});
