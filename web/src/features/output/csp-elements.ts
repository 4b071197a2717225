// Lets xterm.js work under `style-src 'self'`: it writes <style> elements and `style` attributes, which the policy refuses.
// Both have a form that the policy allows: constructed style sheets, and the element's own style object. xterm makes its
// elements by the global document, so that is where others are handed out, for as long as a terminal is open.

/** From now on `style` elements are constructed style sheets, and spans set `style` through the style object. Returns the way back. */
export function useCspElements(document: Document): () => void {
  const make = Document.prototype.createElement;
  const createElement = (tag: string, options?: ElementCreationOptions): HTMLElement => {
    if (tag === 'style') return sheetElement(document, make.call(document, 'template') as HTMLElement);
    const element = make.call(document, tag, options) as HTMLElement;
    if (tag === 'span') element.setAttribute = setAttribute;
    return element;
  };
  Object.defineProperty(document, 'createElement', { configurable: true, value: createElement });
  return () => {
    // The prototype's own method shows again; another terminal's is left alone.
    if (document.createElement === (createElement as unknown)) delete (document as { createElement?: unknown }).createElement;
  };
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/** An inert element that stands for a style sheet: its text is the sheet's, and removing it removes the sheet. */
function sheetElement(document: Document, element: HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  let text = '';
  Object.defineProperty(element, 'textContent', {
    get: () => text,
    set: (value: string) => {
      text = value;
      sheet.replaceSync(value);
    },
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
