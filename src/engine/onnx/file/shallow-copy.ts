/** A message whose fields are those of another one. Keeps the prototype, which holds the defaults of fields that are not set. */
export function shallowCopy<T extends object>(message: T): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message) as object) as T, message);
}
