import { expect, it } from 'vitest';
import { hiddenSources } from './hidden-sources.js';
import { describeMistake, type Mapping } from './mapping.js';
import { parseMapping } from './parse-mapping.js';

const text = `object: Lead
fields:
  Emial: email
transform:
  dataFields.Name: FirstNam
`;

it('names what the org does not show, by line, with what was probably meant', () => {
  const mapping = parseMapping('Lead.yaml', text) as Mapping;
  const unknown = [{ source: 'Emial', suggestion: 'Email' }, { source: 'FirstNam' }, { source: 'IsDeleted' }];
  expect(hiddenSources(mapping, text, unknown).map(describeMistake)).toEqual([
    'Lead.yaml:3:3: the integration user cannot see Lead.Emial: gone, misspelt or hidden by field-level security; did you mean "Email"?',
    'Lead.yaml:5:20: the integration user cannot see Lead.FirstNam: gone, misspelt or hidden by field-level security',
    'Lead.yaml:1:9: the integration user cannot see Lead.IsDeleted: gone, misspelt or hidden by field-level security',
  ]);
});
