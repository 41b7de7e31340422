// The one way for markup into the page (Trusted Types). Blazor writes the static parts of its components as markup; answers never
// come this way, they are built element by element. So what arrives here is small and known, and anything else is refused.
if (window.trustedTypes) {
  const inert = trustedTypes.createPolicy("cloister", { createHTML: markup => markup });
  const elements = new Set(["A", "ARTICLE", "B", "BODY", "BUTTON", "CIRCLE", "CODE", "DD", "DETAILS", "DIV", "DL", "DT", "EM", "H2", "H3", "H4", "HEAD", "HEADER", "HTML",
    "LABEL", "LI", "OL", "P", "PATH", "RECT", "SECTION", "SPAN", "STRONG", "SUMMARY", "SVG", "UL"]);
  const attributes = /^(aria-[a-z]+|class|d|autofocus|for|height|href|hidden|id|role|rx|type|viewbox|width|x|y|cx|cy|r|popovertarget|popovertargetaction|rel|tabindex|target|title)$/;

  trustedTypes.createPolicy("default", {
    createHTML(markup) {
      const page = new DOMParser().parseFromString(inert.createHTML(markup), "text/html");
      const known = [...page.querySelectorAll("*")].every(element =>
        elements.has(element.nodeName.toUpperCase())
        && [...element.attributes].every(({ name, value }) => attributes.test(name.toLowerCase()) && (name !== "href" || /^(https:\/\/|#)/.test(value))));
      return known ? markup : null;
    },
  });
}
