/** A message channel of the project. Source: [S3] ChannelDetails. */
export interface Channel {
  id: number;
  name: string;
  channelType: 'Marketing' | 'Transactional';
  messageMedium: 'Email' | 'Push' | 'SMS';
}

/** A message type of a channel. Source: [S3] MessageTypeDetails, the members that are always there. */
export interface MessageType {
  id: number;
  channelId: number;
  name: string;
  subscriptionPolicy: 'OptIn' | 'OptOut';
  createdAt: number;
  updatedAt: number;
}

/** What can be unsubscribed from. */
export interface ChannelSet {
  channels: readonly Channel[];
  messageTypes: readonly MessageType[];
}

const type = (id: number, channelId: number, name: string): MessageType => ({
  id,
  channelId,
  name,
  subscriptionPolicy: 'OptOut',
  createdAt: 1_700_000_000_000,
  updatedAt: 1_700_000_000_000,
});

/** The channels that a project begins with here: two of marketing by email, one each of another kind or medium. */
export const seededChannels: ChannelSet = {
  channels: [
    { id: 101, name: 'Marketing Channel', channelType: 'Marketing', messageMedium: 'Email' },
    { id: 102, name: 'Transactional Channel', channelType: 'Transactional', messageMedium: 'Email' },
    { id: 103, name: 'Partner Offers', channelType: 'Marketing', messageMedium: 'Email' },
    { id: 104, name: 'Push Marketing Channel', channelType: 'Marketing', messageMedium: 'Push' },
    { id: 105, name: 'SMS Marketing Channel', channelType: 'Marketing', messageMedium: 'SMS' },
  ],
  messageTypes: [
    type(201, 101, 'Newsletter'),
    type(202, 101, 'Product Updates'),
    type(203, 102, 'Order Confirmations'),
    type(204, 103, 'Partner Offers'),
    type(205, 104, 'App News'),
    type(206, 105, 'Text Offers'),
  ],
};
