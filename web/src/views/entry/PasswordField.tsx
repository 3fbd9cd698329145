// A password field that can show what is in it.
import './texts.ts'
import { useState } from 'react'
import { t } from '../../lib/messages.ts'
import { IconButton } from '../../ui/Button.tsx'
import { Field, type FieldProps } from '../../ui/Field.tsx'

export function PasswordField(props: Omit<FieldProps, 'type' | 'trailing'>) {
  const [shown, setShown] = useState(false)
  return (
    <Field
      {...props}
      type={shown ? 'text' : 'password'}
      autoCapitalize="none"
      spellCheck={false}
      trailing={<IconButton icon="eye" size="s" label={t('entry.showPassword')} aria-pressed={shown} onClick={() => setShown(!shown)} />}
    />
  )
}
