/** Tells when an element is about to be scrolled into view. */
import type { Attachment } from 'svelte/attachments';

const AHEAD = '600px';

export function whenNear(tell: () => void): Attachment<HTMLElement> {
  return (element) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) tell();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(element);
    return () => observer.disconnect();
  };
}
