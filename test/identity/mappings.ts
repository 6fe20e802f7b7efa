import { compileMapping, foreignTargets, parseMapping, type CompiledMapping, type Mapping } from '@libs/mapping';

/** What a mapping says; the model knows the same by heart (model.ts, `imageOf`). */
const files = {
  Lead: `
object: Lead
fields:
  Email: email
  FirstName: dataFields.Name.First
  LastName: dataFields.Name.Last
  Rating: dataFields.Lead.Rating
  Id: dataFields.Salesforce.Id
  IsDeleted: dataFields.Salesforce.Deleted
`,
  Contact: `
object: Contact
fields:
  Email: email
  FirstName: dataFields.Name.First
  LastName: dataFields.Name.Last
  Department: dataFields.Department
  Id: dataFields.Salesforce.Id
  IsDeleted: dataFields.Salesforce.Deleted
`,
} as const;

function read(name: keyof typeof files): Mapping {
  const mapping = parseMapping(`${name}.yaml`, files[name]);
  if (!('fields' in mapping)) throw new Error(JSON.stringify(mapping));
  return mapping;
}

const mappings = new Map([
  ['Lead', read('Lead')],
  ['Contact', read('Contact')],
]);

/** A mapping compiled by the product, as it is in force beside the other. */
function compiled(name: keyof typeof files): CompiledMapping {
  return compileMapping(mappings.get(name) as Mapping, { clear: foreignTargets(mappings, name) });
}

export const compiledMappings: Readonly<Record<'Lead' | 'Contact', CompiledMapping>> = {
  Lead: compiled('Lead'),
  Contact: compiled('Contact'),
};
