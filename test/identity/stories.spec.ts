import { describe, expect, it } from 'vitest';
import type { ProjectType } from '@libs/contracts';
import type { OnDelete } from './model.js';
import { Story, tellings } from './story.js';

const projectTypes = ['email', 'user-id', 'hybrid'] as const satisfies readonly ProjectType[];

interface Told {
  readonly what: string;
  readonly happens: (story: Story) => Promise<void>;
  /** Default `delete`. */
  readonly onDelete?: OnDelete;
  /** Ends so only if Iterable was told of each step: told all at once nothing is there to be kept. */
  readonly onlySeen?: boolean;
  /** Who is shown at each address in an email project. */
  readonly addresses: readonly string[];
  /** The address of each record's profile in the others. */
  readonly records: readonly string[];
  /** Records whose profile is unsubscribed; default none. In an email project those that hold an address. */
  readonly unsubscribed?: readonly string[];
}

const stories: readonly Told[] = [
  {
    what: 'two people swap their addresses',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.contact('bob', 'b@x.io');
      await story.set('ann', { email: 'b@x.io' });
      await story.set('bob', { email: 'a@x.io' });
    },
    addresses: ['a@x.io bob', 'b@x.io ann'],
    records: ['ann b@x.io', 'bob a@x.io'],
  },
  {
    what: 'one moves to an address that another leaves',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.contact('bob', 'b@x.io');
      await story.set('bob', { email: 'c@x.io' });
      await story.set('ann', { email: 'b@x.io' });
    },
    addresses: ['b@x.io ann', 'c@x.io bob'],
    records: ['ann b@x.io', 'bob c@x.io'],
  },
  {
    what: 'one moves to an address before another leaves it',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.contact('bob', 'b@x.io');
      await story.set('ann', { email: 'b@x.io' });
      await story.set('bob', { email: 'c@x.io' });
    },
    addresses: ['b@x.io ann', 'c@x.io bob'],
    records: ['ann b@x.io', 'bob c@x.io'],
  },
  {
    what: 'one moves to the address of somebody who comes first',
    async happens(story) {
      await story.lead('ann', 'a@x.io', { own: 'Hot' });
      await story.contact('bob', 'b@x.io', { firstName: null });
      await story.set('ann', { email: 'b@x.io' });
    },
    addresses: ['b@x.io bob'],
    records: ['ann -', 'bob b@x.io'],
  },
  {
    what: 'a Contact comes before a newer Lead',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.lead('bob', 'a@x.io');
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io', 'bob -'],
  },
  {
    what: 'the newer of two Contacts comes first, whoever changed last',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.contact('bob', 'a@x.io');
      await story.set('ann', { lastName: 'Changed' });
    },
    addresses: ['a@x.io bob'],
    records: ['ann -', 'bob a@x.io'],
  },
  {
    what: 'a Lead becomes a Contact with its address',
    async happens(story) {
      await story.lead('ann', 'a@x.io');
      await story.convert('ann', 'ann as contact');
    },
    addresses: ['a@x.io ann as contact'],
    records: ['ann as contact a@x.io'],
  },
  {
    what: 'a Lead becomes a Contact that has another address',
    async happens(story) {
      await story.lead('ann', 'a@x.io', { own: 'Hot' });
      await story.contact('bob', 'b@x.io', { firstName: null });
      await story.convert('ann', 'bob');
    },
    addresses: ['b@x.io bob'],
    records: ['bob b@x.io'],
  },
  {
    what: 'a Lead becomes a Contact without an address, which gets one later',
    async happens(story) {
      await story.lead('ann', 'a@x.io');
      await story.contact('bob', null);
      await story.convert('ann', 'bob');
      await story.set('bob', { email: 'b@x.io' });
    },
    addresses: ['b@x.io bob'],
    records: ['bob b@x.io'],
  },
  {
    what: 'a Lead becomes a Contact whose address has another owner',
    async happens(story) {
      await story.lead('ann', 'a@x.io');
      await story.contact('bob', 'b@x.io');
      await story.contact('cy', 'b@x.io');
      await story.convert('ann', 'bob');
    },
    addresses: ['b@x.io cy'],
    records: ['bob -', 'cy b@x.io'],
  },
  {
    what: 'a Lead becomes a Contact that is deleted',
    async happens(story) {
      await story.lead('ann', 'a@x.io');
      await story.convert('ann', 'ann as contact');
      await story.delete('ann as contact');
    },
    addresses: [],
    records: [],
  },
  {
    what: 'a Lead becomes a Contact that is deleted and comes back',
    onDelete: 'flag',
    async happens(story) {
      await story.lead('ann', 'a@x.io');
      await story.convert('ann', 'ann as contact');
      await story.delete('ann as contact');
      await story.undelete('ann as contact');
    },
    addresses: ['a@x.io ann as contact'],
    records: ['ann as contact a@x.io'],
  },
  {
    what: 'two Leads become one Contact',
    async happens(story) {
      await story.lead('ann', 'a@x.io');
      await story.lead('bob', 'b@x.io');
      await story.convert('ann', 'cy');
      await story.convert('bob', 'cy');
    },
    addresses: ['a@x.io cy'],
    records: ['cy a@x.io'],
  },
  {
    what: 'two Contacts are merged, and the winner takes the address of the loser',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.contact('bob', 'b@x.io');
      await story.merge('ann', 'bob', { email: 'b@x.io' });
    },
    addresses: ['b@x.io ann'],
    records: ['ann b@x.io'],
  },
  {
    what: 'two Contacts of one address are merged',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.contact('bob', 'a@x.io');
      await story.merge('ann', 'bob');
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io'],
  },
  {
    what: 'a merged Contact comes back',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.contact('bob', 'b@x.io');
      await story.merge('ann', 'bob');
      await story.undelete('bob');
    },
    addresses: ['a@x.io ann', 'b@x.io bob'],
    records: ['ann a@x.io', 'bob b@x.io'],
  },
  {
    what: 'the owner is deleted, and the next in line has the address',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.lead('bob', 'a@x.io');
      await story.delete('ann');
    },
    addresses: ['a@x.io bob'],
    records: ['bob a@x.io'],
  },
  {
    what: 'a deleted owner comes back and has its address again',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.lead('bob', 'a@x.io');
      await story.delete('ann');
      await story.undelete('ann');
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io', 'bob -'],
  },
  {
    what: 'one who is not the owner is deleted, and nothing is done to the owner',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.lead('bob', 'a@x.io');
      await story.delete('bob');
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io'],
  },
  {
    what: 'one loses the address and gets it back',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.set('ann', { email: null });
      await story.set('ann', { email: 'a@x.io' });
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io'],
  },
  {
    what: 'one loses the address and gets another',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.set('ann', { email: null });
      await story.set('ann', { email: 'b@x.io' });
    },
    addresses: ['b@x.io ann'],
    records: ['ann b@x.io'],
  },
  {
    what: 'an opt-out of one who is not the owner counts',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.lead('bob', 'a@x.io', { optedOut: true });
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io', 'bob -'],
    unsubscribed: ['ann', 'bob'],
  },
  {
    what: 'an opt-out goes along to a new address, and is not taken back',
    async happens(story) {
      await story.contact('ann', 'a@x.io', { optedOut: true });
      await story.set('ann', { email: 'b@x.io' });
      await story.contact('bob', 'a@x.io');
    },
    addresses: ['a@x.io bob', 'b@x.io ann'],
    records: ['ann b@x.io', 'bob a@x.io'],
    unsubscribed: ['ann'],
  },
  {
    what: 'a Lead that opted out becomes a Contact that is there and did not',
    async happens(story) {
      await story.lead('ann', 'a@x.io', { optedOut: true });
      await story.contact('bob', 'b@x.io', { optedOut: true });
      await story.convert('ann', 'bob');
    },
    addresses: ['b@x.io bob'],
    records: ['bob b@x.io'],
    unsubscribed: ['bob'],
  },
  {
    what: 'a deleted Contact stays as it is',
    onDelete: 'ignore',
    onlySeen: true,
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.delete('ann');
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io'],
  },
  {
    what: 'a deleted Contact is flagged, and keeps what else it has',
    onDelete: 'flag',
    onlySeen: true,
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.delete('ann');
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io'],
  },
  {
    what: 'a flagged Contact comes back and is flagged no more',
    onDelete: 'flag',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.delete('ann');
      await story.undelete('ann');
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io'],
  },
  {
    what: 'a deleted Contact is unsubscribed',
    onDelete: 'unsubscribe',
    onlySeen: true,
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.delete('ann');
    },
    addresses: ['a@x.io ann'],
    records: ['ann a@x.io'],
    unsubscribed: ['ann'],
  },
  {
    what: 'a deleted Contact is forgotten',
    onDelete: 'forget',
    async happens(story) {
      await story.contact('ann', 'a@x.io');
      await story.delete('ann');
    },
    addresses: [],
    records: [],
  },
];

describe.each(projectTypes)('%s project', (projectType) => {
  describe.each(tellings)('%s', (telling) => {
    const told = stories.filter(({ onlySeen }) => onlySeen !== true || telling !== 'all at once');
    it.each(told)('$what', async ({ happens, onDelete = 'delete', addresses, records, unsubscribed = [] }) => {
      const story = new Story({ projectType, onDelete }, telling);
      await happens(story);
      const end = await story.end();
      const expected = projectType === 'email' ? addresses : records;
      expect(end.shown).toEqual(expected);
      expect(end.wrong).toEqual([]);
      expect(end.unsubscribed).toEqual(
        expected.filter((text) => {
          const [one, other] = [text.slice(0, text.lastIndexOf(' ')), text.slice(text.indexOf(' ') + 1)];
          return unsubscribed.includes(projectType === 'email' ? other : one);
        }),
      );
    });
  });
});
