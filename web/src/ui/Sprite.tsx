// The drawings that icons and default pictures refer to, once per page.
import { memo } from 'react'
import { icons } from './icons.ts'
import css from './Sprite.module.css'

export const Sprite = memo(function Sprite() {
  return (
    <svg className={css.sprite} aria-hidden="true">
      {Object.entries(icons).map(([name, d]) => (
        <symbol key={name} id={`i-${name}`} viewBox="0 0 24 24">
          <path d={d} />
        </symbol>
      ))}
      <symbol id="av-persimmon" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#f3d7b3" />
        <circle cx="24" cy="28" r="13" fill="#e0702a" />
        <path d="M24 17c-4-3-8-2-10 0 4 1 7 3 10 3s6-2 10-3c-2-2-6-3-10 0z" fill="#4c6b3c" />
      </symbol>
      <symbol id="av-moon" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#27374a" />
        <circle cx="30" cy="17" r="8" fill="#ffe1a8" />
        <path d="M0 48V36l10-7 8 5 12-10 18 13v11z" fill="#101923" />
      </symbol>
      <symbol id="av-pine" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#cfe0d3" />
        <path d="M24 8l9 13h-5l8 11H12l8-11h-5z" fill="#2b6a50" />
        <path d="M22 32h4v9h-4z" fill="#6e4c2d" />
      </symbol>
      <symbol id="av-wave" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#d5e6f0" />
        <path d="M0 30c8-8 16-8 24 0s16 8 24 0v18H0z" fill="#2c6ca8" />
        <path d="M0 38c8-6 16-6 24 0s16 6 24 0v10H0z" fill="#1f5180" />
        <circle cx="35" cy="14" r="5" fill="#fff" />
      </symbol>
      <symbol id="av-tea" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#efe3cf" />
        <path d="M11 23h23v5a11 11 0 0 1-23 0z" fill="#a8532d" />
        <path d="M34 25h3a4 4 0 0 1 0 8h-4" fill="none" stroke="#a8532d" strokeWidth="3" />
        <path d="M18 18c-2-3 2-4 0-7M26 18c-2-3 2-4 0-7" fill="none" stroke="#8a7a66" strokeWidth="2" strokeLinecap="round" />
      </symbol>
      <symbol id="av-sun" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#f9d9a8" />
        <circle cx="24" cy="29" r="11" fill="#e8701a" />
        <path d="M0 48V37l12-6 9 6 11-8 16 9v10z" fill="#7a3d1a" />
      </symbol>
      <symbol id="av-house" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#dcd6e8" />
        <path d="M5 24c8 0 14-5 19-11 5 6 11 11 19 11l-3 4H8z" fill="#4d4468" />
        <path d="M12 28h24v13H12z" fill="#f7efe2" />
        <path d="M21 31h6v10h-6z" fill="#8a5a36" />
      </symbol>
      <symbol id="av-plum" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#f6dfe0" />
        <path d="M6 44C16 36 22 28 38 8" stroke="#5f4036" strokeWidth="3" fill="none" strokeLinecap="round" />
        <g fill="#c9474f">
        <circle cx="19" cy="26" r="5" />
        <circle cx="31" cy="24" r="4" />
        <circle cx="34" cy="12" r="5" />
        </g>
        <g fill="#ffe9b8">
        <circle cx="19" cy="26" r="1.6" />
        <circle cx="34" cy="12" r="1.6" />
        </g>
      </symbol>
      <symbol id="av-boat" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#e3eadf" />
        <path d="M9 30h30l-5 9H14z" fill="#8c4b26" />
        <path d="M23 8v19H11z" fill="#f7f1e4" />
        <path d="M26 13v14h9z" fill="#e6a158" />
      </symbol>
      <symbol id="av-cat" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#e9dccb" />
        <path d="M12 16l3-7 6 5h6l6-5 3 7v12a12 12 0 0 1-24 0z" fill="#3c3a3f" />
        <circle cx="19" cy="24" r="2" fill="#ffd27c" />
        <circle cx="29" cy="24" r="2" fill="#ffd27c" />
        <path d="M22 30q2 2 4 0" stroke="#e9dccb" strokeWidth="1.6" fill="none" strokeLinecap="round" />
      </symbol>
      <symbol id="av-news" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#20303f" />
        <path d="M12 14h24v20H12z" fill="#f4ece0" />
        <path d="M16 19h16M16 24h10M16 29h13" stroke="#20303f" strokeWidth="2.4" />
      </symbol>
      <symbol id="av-peaks" viewBox="0 0 48 48">
        <rect width="48" height="48" fill="#f2c894" />
        <path d="M0 48V34l13-15 8 9 9-13 18 20v13z" fill="#8f4a22" />
        <path d="M0 48V40l15-9 12 8 10-6 11 6v9z" fill="#4e2a18" />
      </symbol>
    </svg>
  )
})
