// What htmx leaves to us: the Enter key, emptying the field once the question is taken, a button to
// stop, and saying that the connection is lost. Without this file the form works as a plain form.
(() => {
  const form = document.getElementById("question");
  if (!form) return;
  const field = document.getElementById("message");
  const error = document.getElementById("erreur");
  const stop = document.getElementById("arreter");
  let taken = false;
  let sent = "";
  let patience = 0;

  const complain = () => {
    const line = document.createElement("p");
    line.className = "problem";
    line.textContent = form.dataset.lost;
    error.replaceChildren(line);
  };

  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });

  form.addEventListener("htmx:before:request", (event) => {
    taken = false;
    sent = event.detail.ctx.request.submitter?.name === "choice" ? "" : field.value;
    clearTimeout(patience);
    patience = setTimeout(() => { stop.hidden = false; }, 1500);
  });

  // The question is on the page: the field is free for the next one, unless it has changed meanwhile.
  form.addEventListener("accepted", () => {
    taken = true;
    if (field.value === sent) field.value = "";
    field.removeAttribute("aria-invalid");
    document.getElementById("oublier").hidden = false;
    const suggestions = document.querySelector(".suggestions");
    if (suggestions?.contains(document.activeElement)) field.focus({ preventScroll: true });
    suggestions?.remove();
  });

  let finished = false;
  form.addEventListener("htmx:sse:before:connection", () => { finished = false; });
  form.addEventListener("finished", () => { finished = true; });
  form.addEventListener("htmx:sse:close", () => {
    if (!finished) document.querySelectorAll(".pending").forEach((line) => line.remove());
    if (!finished) complain();
  });

  form.addEventListener("htmx:finally:request", () => {
    clearTimeout(patience);
    stop.hidden = true;
    if (!taken && !error.hasChildNodes()) complain();
    if (error.hasChildNodes()) field.setAttribute("aria-invalid", "true");
  });

  stop.addEventListener("click", () => {
    form.dispatchEvent(new CustomEvent("htmx:abort"));
    field.focus();
  });
})();
