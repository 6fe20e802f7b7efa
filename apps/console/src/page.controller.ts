import { readFileSync } from 'node:fs';
import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';

/** The page may load only its own script, style and icon, and talk only to its own origin; nothing may frame it. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const asset = (name: string) => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');

/** The status page: three files and an icon, no secret in any; the API asks for the token. */
@Controller()
export class PageController {
  private readonly html = asset('index.html');
  private readonly script = asset('app.js');
  private readonly style = asset('app.css');
  private readonly icon = asset('icon.svg');

  @Get()
  page(@Res() response: Response): void {
    this.send(response, 'text/html', this.html);
  }

  @Get('app.js')
  appScript(@Res() response: Response): void {
    this.send(response, 'text/javascript', this.script);
  }

  @Get('app.css')
  appStyle(@Res() response: Response): void {
    this.send(response, 'text/css', this.style);
  }

  @Get('icon.svg')
  appIcon(@Res() response: Response): void {
    this.send(response, 'image/svg+xml', this.icon);
  }

  private send(response: Response, type: string, text: string): void {
    response
      .set({
        'content-type': `${type}; charset=utf-8`,
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-cache',
      })
      .send(text);
  }
}
