import { expect, it } from 'vitest';
import { MappingFilesError } from './mapping.js';
import { parseMappingFiles } from './parse-mapping-files.js';

const text = `# Ten mistakes
object: Contact
wehn: HasLeft__c = false
fields:
  Email: email
  FirstName: dataFields.Name.First
  LastName: Name.Last
  OwnerId.Email: dataFields.Owner.Email
  AnnualRevenue: dataFields.Revenue
transform:
  dataFields.Name.First: "$uppercase(FirstName)"
  dataFields.FullName: >
    FirstName & ' ' &
    LastName)
  dataFields.Age: $now() - Birthdate
type:
  dataFields.Revenue: currency
  email: double
onNull:
  dataFields.Revenu: omit
consent:
  Newsletter__c: { when: false, chanels: [12], messageTypes: [34] }
`;

it('a file with ten mistakes gets ten messages, each with its place and, where one is near, what was meant', () => {
  let message = '';
  try {
    parseMappingFiles([{ name: 'Contact.yaml', text }]);
  } catch (error) {
    message = error instanceof MappingFilesError ? error.message : String(error);
  }
  expect(message).toBe(`The mapping files have 10 mistakes:
  Contact.yaml:3:1: unknown key "wehn"; did you mean "when"?
  Contact.yaml:7:13: "Name.Last" is no target; a target is email, userId or dataFields.<path>; did you mean "dataFields.Name.Last"?
  Contact.yaml:8:3: "OwnerId" is a field, not a relationship, so nothing can follow it; did you mean "Owner.Email"?
  Contact.yaml:11:3: "dataFields.Name.First" is already filled from "FirstName" on line 6
  Contact.yaml:14:13: the transform of "dataFields.FullName" is not JSONata: Syntax error: ")"
  Contact.yaml:15:19: the transform of "dataFields.Age" cannot be used: $now depends on the clock, and a mapped record must depend on its fields alone
  Contact.yaml:17:23: the type of "dataFields.Revenue" is string, long, double, boolean, date or list; did you mean "double"?
  Contact.yaml:18:3: "email" says who the user is; "type" is for profile fields, dataFields.<path>
  Contact.yaml:20:3: "dataFields.Revenu" in "onNull" is a target that nothing in this file fills; did you mean "dataFields.Revenue"?
  Contact.yaml:22:33: unknown key "chanels" in the consent rule of "Newsletter__c"; did you mean "channels"?`);
});
