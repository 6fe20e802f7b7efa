import { describe, expect, it } from 'vitest';
import { relationshipsOf, sourceMistake, targetMistake } from './paths.js';

describe('sourceMistake', () => {
  it.each([
    'Email',
    'Score__c',
    'Account.Name',
    'Account.Owner.Manager.Profile.UserLicense.Name',
    'Partner__r.Tier__c',
  ])('takes %s', (source) => {
    expect(sourceMistake(source)).toBeNull();
  });

  it.each([
    ['', '"" is not the path of a Salesforce field', undefined],
    ['Account..Name', '"Account..Name" is not the path of a Salesforce field', 'Account.Name'],
    [' Email', '" Email" is not the path of a Salesforce field', 'Email'],
    ['Owner->Name', '"Owner->Name" is not the path of a Salesforce field', 'Owner.Name'],
    ['Lead Source', '"Lead Source" is not the path of a Salesforce field', undefined],
    ['1st__c', '"1st__c" is not the path of a Salesforce field', undefined],
    ["Name', (SELECT", '"Name\', (SELECT" is not the path of a Salesforce field', undefined],
    ['A.B.C.D.E.F.Name', '"A.B.C.D.E.F.Name" goes up 6 relationships; SOQL allows 5', undefined],
    ['OwnerId.Name', '"OwnerId" is a field, not a relationship, so nothing can follow it', 'Owner.Name'],
    ['Partner__c.Name', '"Partner__c" is a field, not a relationship, so nothing can follow it', 'Partner__r.Name'],
    ['Partner__r', '"Partner__r" ends in a relationship; name a field of it', 'Partner__r.Name'],
  ])('refuses %j', (source, message, suggestion) => {
    expect(sourceMistake(source)).toEqual({ message, suggestion });
  });
});

describe('targetMistake', () => {
  it.each(['email', 'userId', 'dataFields.Title', 'dataFields.Owner.Salesforce.Id', 'dataFields.phoneNumber'])(
    'takes %s',
    (target) => {
      expect(targetMistake(target)).toBeNull();
    },
  );

  const noTarget = 'is no target; a target is email, userId or dataFields.<path>';
  const badName = 'has a name that is not letters, digits and underscores, beginning with a letter';
  it.each([
    ['Email', `"Email" ${noTarget}`, 'email'],
    ['userid', `"userid" ${noTarget}`, 'userId'],
    ['Title', `"Title" ${noTarget}`, 'dataFields.Title'],
    ['Name.First', `"Name.First" ${noTarget}`, 'dataFields.Name.First'],
    ['datafields.Title', `"datafields.Title" ${noTarget}`, 'dataFields.Title'],
    ['dataField.Name.First', `"dataField.Name.First" ${noTarget}`, 'dataFields.Name.First'],
    ['dataFields', `"dataFields" ${noTarget}`, undefined],
    ['email.address', `"email.address" ${noTarget}`, undefined],
    ['dataFields.Lead Source', `"dataFields.Lead Source" ${badName}`, undefined],
    ['dataFields..Title', `"dataFields..Title" ${badName}`, 'dataFields.Title'],
    ['dataFields.__proto__.x', `"dataFields.__proto__.x" ${badName}`, undefined],
    ['dataFields.email', '"dataFields.email" is decided by the type of the project, not by the mapping', 'email'],
    ['dataFields.userId', '"dataFields.userId" is decided by the type of the project, not by the mapping', 'userId'],
    ['dataFields.itblInternal.emailDomain', undefined, undefined],
    ['dataFields.unsubscribedChannelIds', undefined, undefined],
    ['dataFields.emailListIds', undefined, undefined],
    ['dataFields.profileUpdatedAt', undefined, undefined],
  ])('refuses %j', (target, message, suggestion) => {
    const managed = `"${target}" is kept by Iterable itself and cannot be written`;
    expect(targetMistake(target)).toEqual({ message: message ?? managed, suggestion });
  });
});

describe('relationshipsOf', () => {
  it.each([
    ['Email', []],
    ['Account.Name', ['Account']],
    ['Account.Owner.Manager.Name', ['Account', 'Account.Owner', 'Account.Owner.Manager']],
  ])('%s goes through %j', (source, relationships) => {
    expect(relationshipsOf(source)).toEqual(relationships);
  });
});
