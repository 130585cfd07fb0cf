/** Schemas that several requests of the contract share. */
import * as v from 'valibot';

/** A name that the asking side gives to what it asks for, so that events can be told apart. */
export const ticket = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'not a ticket'));
