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
  /** More than half of it is used, and by its group of what is the group's part: nothing should be promised to it that may be taken up later. */
  readonly isScarce: boolean;
}

/** Milliseconds for which who had nothing to end is not asked again: else whoever is refused over and over would have everybody asked each time. */
const STUBBORN_FOR = 20;

interface Member {
  readonly holder: MemoryHolder;
  used: number;
  /** `performance.now()` until which it is not asked. */
  stubbornUntil: number;
}

/** Members that hold something. */
interface Group {
  used: number;
  readonly members: Set<Member>;
  /** No member has anything to end until then. */
  stubbornUntil: number;
}

/**
 * Memory for as many as want some. When it is used up, who holds most gives way to who holds less: first among groups, then within one.
 * Whoever is refused holds its fair part, or more.
 */
export function createSharedMemory(maxBytes: number): SharedMemory {
  const groups = new Map<unknown, Group>();
  let used = 0;

  function join(holder: MemoryHolder): MemoryShare {
    const member: Member = { holder, used: 0, stubbornUntil: 0 };
    const key = holder.group ?? member;
    const add = (bytes: number): void => {
      const group = groups.get(key) ?? { used: 0, members: new Set(), stubbornUntil: 0 };
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
      get isScarce(): boolean {
        const held = groups.get(key)?.used ?? 0;
        return used * 2 > maxBytes && held * 2 * groups.size > maxBytes;
      },
    };
  }

  /** @returns whether there is room now */
  function makeRoom(asker: Member, own: Group | undefined, bytes: number): boolean {
    const now = performance.now();
    const mostOfGroup = (own?.used ?? 0) + bytes;
    const mostOfMember = asker.used + bytes;
    const richer = richerGroups(own, mostOfGroup, now);
    while (used + bytes > maxBytes) {
      const group = richer[0];
      const victim =
        group === undefined
          ? richest(own, mostOfMember, { now, asker })
          : richest(group.used > mostOfGroup ? group : undefined, 0, { now, asker });
      if (victim === undefined) {
        if (group === undefined) return false;
        if (group.used > mostOfGroup) group.stubbornUntil = now + STUBBORN_FOR;
        richer.shift();
      } else if (victim.holder.shed()) sink(richer);
      else victim.stubbornUntil = now + STUBBORN_FOR;
    }
    return true;
  }

  /** Groups that hold more than the asker's would hold, and have something to end; those that hold most first. */
  function richerGroups(own: Group | undefined, asked: number, now: number): Group[] {
    // Who is beyond a fair part need not look: nobody has to give way to it.
    if (asked > maxBytes / (own === undefined ? groups.size + 1 : groups.size)) return [];
    const richer: Group[] = [];
    for (const group of groups.values()) {
      if (group !== own && group.used > asked && group.stubbornUntil <= now) richer.push(group);
    }
    return richer.sort((a, b) => b.used - a.used);
  }

  return {
    get used(): number {
      return used;
    },
    join,
  };
}

/** Puts the first one, which holds less than before, where it belongs. */
function sink(groups: Group[]): void {
  for (let at = 1; at < groups.length; at++) {
    const [first, next] = [groups[at - 1]!, groups[at]!];
    if (first.used >= next.used) return;
    groups[at - 1] = next;
    groups[at] = first;
  }
}

/** The member that holds most, and more than that, of those who may be asked. */
function richest(
  group: Group | undefined,
  moreThan: number,
  { now, asker }: { readonly now: number; readonly asker: Member },
): Member | undefined {
  let most: Member | undefined;
  for (const member of group?.members ?? []) {
    if (member === asker || member.stubbornUntil > now) continue;
    if (member.used > Math.max(moreThan, most?.used ?? 0)) most = member;
  }
  return most;
}
