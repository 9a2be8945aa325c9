import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist', 'dist-bench', '.tap', 'coverage'] }),
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // It does not see that a function called in the loop, or a callback, changes the condition.
      'no-unmodified-loop-condition': 'off'
    }
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', {
        selector: "CallExpression[callee.object.name='t'][callee.property.name='match'] > :matches(ArrayExpression, ObjectExpression) ArrayExpression[elements.length=0]",
        message: 'As a pattern an empty list fits every list. Use { length: 0 }.'
      }]
    }
  }
]
