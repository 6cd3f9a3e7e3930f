/** Memory that several connections share, each of them a fair part of it. */
export interface SharedMemory {
  /** Bytes that are held now. */
  readonly used: number;
  join(holder: MemoryHolder): MemoryShare;
}

/** Who has a part of shared memory. */
export interface MemoryHolder {
  /** Holders of one group, such as a subnet, count as one against others. @defaultValue a group of its own */
  readonly group?: string | undefined;
  /** Ends what makes the least progress, and gives back what it held. @returns false when there is nothing to end */
  shed(): boolean;
}

/** A part of shared memory. Whoever takes some gives it back. */
export interface MemoryShare {
  /** @returns false when there is no room: nothing was taken then */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

interface Member {
  readonly holder: MemoryHolder;
  used: number;
}

/** Members that hold something. */
interface Group {
  used: number;
  readonly members: Set<Member>;
}

/**
 * Memory for as many as want some. When it is used up, who holds most gives way to who holds less: first among groups, then within one.
 * Whoever is refused holds its fair part, or more.
 */
export function createSharedMemory(maxBytes: number): SharedMemory {
  const groups = new Map<unknown, Group>();
  let used = 0;

  function join(holder: MemoryHolder): MemoryShare {
    const member: Member = { holder, used: 0 };
    const key = holder.group ?? member;
    const add = (bytes: number): void => {
      const group = groups.get(key) ?? { used: 0, members: new Set() };
      groups.set(key, group);
      used += bytes;
      group.used += bytes;
      member.used += bytes;
      if (member.used > 0) group.members.add(member);
      else group.members.delete(member);
      if (group.members.size === 0) groups.delete(key);
    };
    return {
      take: (bytes) => {
        if (used + bytes > maxBytes && !makeRoom(member, groups.get(key), bytes)) return false;
        add(bytes);
        return true;
      },
      give: (bytes) => add(-bytes),
    };
  }

  /** @returns whether there is room now */
  function makeRoom(asker: Member, own: Group | undefined, bytes: number): boolean {
    const asked = { group: (own?.used ?? 0) + bytes, member: asker.used + bytes };
    const stubborn = new Set<Member>();
    while (used + bytes > maxBytes) {
      const victim =
        richest(richestGroup(own, asked.group, stubborn), stubborn, 0) ??
        richest(own, stubborn.add(asker), asked.member);
      if (victim === undefined) return false;
      if (!victim.holder.shed()) stubborn.add(victim);
    }
    return true;
  }

  /** The group that holds most, if that is more than the asker's would hold. */
  function richestGroup(
    own: Group | undefined,
    asked: number,
    stubborn: ReadonlySet<Member>,
  ): Group | undefined {
    // Who is beyond a fair part need not look: nobody has to give way to it.
    if (asked > maxBytes / (own === undefined ? groups.size + 1 : groups.size)) return undefined;
    let most: Group | undefined;
    for (const group of groups.values()) {
      const isRicher = group !== own && group.used > asked && group.used > (most?.used ?? 0);
      if (isRicher && richest(group, stubborn, 0) !== undefined) most = group;
    }
    return most;
  }

  return {
    get used(): number {
      return used;
    },
    join,
  };
}

/** The member that holds most, and more than that. */
function richest(
  group: Group | undefined,
  except: ReadonlySet<Member>,
  moreThan: number,
): Member | undefined {
  let most: Member | undefined;
  for (const member of group?.members ?? []) {
    if (!except.has(member) && member.used > Math.max(moreThan, most?.used ?? 0)) most = member;
  }
  return most;
}
