/** Several identities in one keystore (spec/identity.md §2.3): each has keys that lead to no other. */
import { isDisplayName } from '../display-name.ts';
import { IdentityError } from '../errors.ts';
import { assertTime } from '../fields.ts';
import { assertGeneration, type Identity } from '../identity.ts';
import type { PeerId } from '../peer-id.ts';
import { signRotation } from '../rotation.ts';
import { isProfileName, type KeystoreContents, MAX_PROFILES, type ProfileEntry } from './contents.ts';

/** A profile as it is listed. */
export interface Profile {
  /** Unique in the keystore. */
  readonly name: string;
  /** Number of its derivation; never used again after it was removed. */
  readonly index: number;
  /** How often its keys were rotated. */
  readonly generation: number;
  /** Its peer. */
  readonly peerId: PeerId;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Whether it is the one that `identity()` gives. */
  readonly isActive: boolean;
}

/** The profiles of an unlocked keystore; every call throws `KEYSTORE_LOCKED` when it is locked. */
export interface Profiles {
  /** All profiles in the order of their creation. */
  list(): readonly Profile[];
  /**
   * Adds a profile with keys of its own.
   * @throws IdentityError `PROFILE_EXISTS`, `TOO_MANY_PROFILES`; RangeError for a malformed name
   */
  create(name: string, options: CreateProfileOptions): Promise<Profile>;
  /**
   * Makes a profile the active one.
   * @throws IdentityError `UNKNOWN_PROFILE`
   */
  switch(name: string): Promise<Profile>;
  /**
   * Forgets a profile. Its keys can be derived again from the words by its index; what it stored is the caller's to
   * delete.
   * @throws IdentityError `UNKNOWN_PROFILE`, `PROFILE_ACTIVE`
   */
  remove(name: string): Promise<void>;
  /**
   * Gives a profile new keys, and so a new PeerId, and returns the statement for its contacts, signed by the old and
   * the new key. Its storage key stays.
   * @throws IdentityError `UNKNOWN_PROFILE`
   */
  rotate(name: string, options: { readonly now: number }): Promise<RotatedProfile>;
  /**
   * The statement of a profile's last rotation again, should it have been lost.
   * @returns undefined when its keys were never rotated
   * @throws IdentityError `UNKNOWN_PROFILE`
   */
  rotationStatement(name: string, options: { readonly now: number }): Uint8Array | undefined;
}

/** A profile after its rotation. */
export interface RotatedProfile {
  readonly profile: Profile;
  /** To be given to contacts; see `verifyRotation`. */
  readonly statement: Uint8Array;
}

/** Options of creating a profile. */
export interface CreateProfileOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Bring back a profile of the same words by its number. */
  readonly index?: number;
  /**
   * How often its keys had been rotated, to bring it back.
   * @defaultValue 0
   */
  readonly generation?: number;
}

/** What the profiles need of their keystore. */
export interface ProfilesBackend {
  readonly read: () => KeystoreContents;
  readonly update: (change: (contents: KeystoreContents) => KeystoreContents) => Promise<void>;
  readonly identity: (entry: ProfileEntry) => Identity;
}

/** The profiles of a keystore. */
export function createProfiles({ read, update, identity }: ProfilesBackend): Profiles {
  const describe = (entry: ProfileEntry): Profile => {
    using own = identity(entry);
    return { ...entry, peerId: own.peerId, isActive: entry.index === read().active };
  };
  const statementOf = (entry: ProfileEntry, now: number): Uint8Array => {
    using from = identity({ ...entry, generation: entry.generation - 1 });
    using to = identity(entry);
    return signRotation({ from, to, now });
  };
  const find = (name: string): ProfileEntry => findProfile(read(), name);
  return {
    list: () => read().profiles.map(describe),
    create: async (name, options) => {
      assertProfileName(name);
      await update((contents) => withProfile(contents, name, options));
      return describe(find(name));
    },
    switch: async (name) => {
      await update((contents) => ({ ...contents, active: findProfile(contents, name).index }));
      return describe(find(name));
    },
    remove: (name) => update((contents) => withoutProfile(contents, name)),
    rotationStatement: (name, { now }) => {
      const entry = find(name);
      return entry.generation === 0 ? undefined : statementOf(entry, now);
    },
    rotate: async (name, { now }) => {
      const entry = find(name);
      // Signed before it is written: a peer that changed its name must have the statement for its contacts.
      const statement = statementOf({ ...entry, generation: entry.generation + 1 }, now);
      await update((contents) => withNextGeneration(contents, entry));
      return { profile: describe(find(name)), statement };
    },
  };
}

function withProfile(
  contents: KeystoreContents,
  name: string,
  options: CreateProfileOptions,
): KeystoreContents {
  const { profiles, nextIndex } = contents;
  const { now, index = nextIndex, generation = 0 } = options;
  assertTime('now', now);
  assertGeneration(generation);
  if (!Number.isInteger(index) || index < 0 || index >= 0xffff_ffff) {
    throw new RangeError('a profile index is an unsigned 32-bit integer');
  }
  if (profiles.some((entry) => entry.name === name || entry.index === index)) {
    throw new IdentityError('PROFILE_EXISTS', 'the keystore already has this profile');
  }
  if (profiles.length === MAX_PROFILES)
    throw new IdentityError('TOO_MANY_PROFILES', 'the keystore file is full');
  const entry = { index, name, generation, createdAt: now };
  return { ...contents, nextIndex: Math.max(nextIndex, index + 1), profiles: [...profiles, entry] };
}

function withoutProfile(contents: KeystoreContents, name: string): KeystoreContents {
  const { index } = findProfile(contents, name);
  if (index === contents.active) {
    throw new IdentityError(
      'PROFILE_ACTIVE',
      'the active profile cannot be removed: switch to another first',
    );
  }
  return { ...contents, profiles: contents.profiles.filter((entry) => entry.index !== index) };
}

function withNextGeneration(
  contents: KeystoreContents,
  { name, generation }: ProfileEntry,
): KeystoreContents {
  const current = findProfile(contents, name);
  if (current.generation !== generation) {
    throw new IdentityError('KEYSTORE_CHANGED', 'the profile was rotated meanwhile');
  }
  const profiles = contents.profiles.map((entry) =>
    entry === current ? { ...entry, generation: generation + 1 } : entry,
  );
  return { ...contents, profiles };
}

function findProfile({ profiles }: KeystoreContents, name: string): ProfileEntry {
  const entry = profiles.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new IdentityError('UNKNOWN_PROFILE', 'the keystore has no such profile');
  return entry;
}

/** @throws RangeError when it cannot name a profile */
export function assertProfileName(name: string): void {
  if (!isProfileName(name) || !isDisplayName(name))
    throw new RangeError('a profile name has 1 to 64 characters, all of which can be seen');
}
