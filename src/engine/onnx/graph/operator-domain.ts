/** Domains of operators: the standard one has two names, '' and 'ai.onnx' (ONNX specification, operator sets). */

export function isStandardDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

/** Domain and operator in one word, whichever name of the standard domain is used. */
export function operatorKey(domain: string, operator: string): string {
  return `${isStandardDomain(domain) ? '' : domain}:${operator}`;
}
